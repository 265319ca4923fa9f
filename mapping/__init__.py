"""Pure floor: documents, templates, formats, merge. No I/O, no clock, no randomness; imports neither other floor."""
