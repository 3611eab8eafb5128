"""From responses to labels: gold files, keyword baseline, classifier and its evaluation."""
