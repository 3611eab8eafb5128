"""From prompts to responses: engines, imports, seeds."""
