"""What earlier versions left behind is understood: folders, logs, files, and services that still run."""
