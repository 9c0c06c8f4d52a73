"""The sandbox judges both connectors; these tests judge it, against what the vendor has published."""
