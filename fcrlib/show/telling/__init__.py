"""How is a finding told? One room for each question, each sentence computed from the frame it speaks of."""
