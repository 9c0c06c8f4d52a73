"""What is known of Vitally's rows: asked in one place, noted in one place, and how it is found out."""
