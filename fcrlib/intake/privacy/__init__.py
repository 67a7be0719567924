"""Hide: what personal data looks like, and what stands for it."""
