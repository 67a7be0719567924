"""Why: explanations of the failures. Rooms on this floor never import each other; they meet in notebooks."""
