"""How the images are made: `make image`. Needs nothing but Python, so that it runs before anything is installed."""
