"""What pytest itself knows of a project's set-up."""
