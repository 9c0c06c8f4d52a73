"""What Vitally has and a whole table lacks."""
