"""The networks of BiomedParse v1 and v2 in plain PyTorch, written from published facts.

Parameters have the names that the published checkpoints give them; what is computed is laid out for a CPU that
answers many prompts about one picture: whatever does not depend on the prompt is computed once a picture.

This package does not know files, ONNX or the command line.
"""
