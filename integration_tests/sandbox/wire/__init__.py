"""What passes between client and workspace, and on the way: messages, time, limits, faults, switches."""
