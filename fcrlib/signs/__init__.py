"""What shows why a contact failed: its history, its words, and what people say who read it."""
