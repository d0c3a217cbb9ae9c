"""Laying one person's face onto another picture by facial landmarks, without any weights of its own."""
