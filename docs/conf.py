project = "replay_agent"
author = "The replay_agent authors"
extensions = ["myst_parser"]
html_theme = "furo"
html_title = "replay_agent"
exclude_patterns = ["_build"]
myst_heading_anchors = 3
myst_enable_extensions = ["colon_fence"]
