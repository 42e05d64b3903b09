"""What a request asks for, as a key: equal for requests of equal meaning. The door is `key.Meaning`."""
