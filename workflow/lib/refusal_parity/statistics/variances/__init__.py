"""How far estimates vary when names and templates are samples."""
