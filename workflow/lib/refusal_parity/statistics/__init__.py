"""The statistics of one study: rates, disparities, exclusions and the models side by side."""
