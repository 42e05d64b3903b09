"""What a new recording puts in the place of an old one."""
