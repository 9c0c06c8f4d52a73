"""The rows of a workspace: how they are kept, linked and checked, and how they are served."""
