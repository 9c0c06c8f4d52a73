"""What both connectors know of Vitally: facts as data and pure functions. It needs neither of them, nor the CDK."""
