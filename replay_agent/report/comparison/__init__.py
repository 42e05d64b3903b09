"""Two sides of a project's cassettes, compared: what changed in what is asked, and what that did to the answers."""
