"""What there is to say of a recording once it is made."""
