"""Pages of people and workspaces, a module for each noun."""
