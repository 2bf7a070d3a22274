"""What is limited and taken from: what the brief says of it, who takes, and what keeps them from taking too much."""
