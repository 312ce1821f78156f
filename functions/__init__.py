"""What the platform calls: triggers that translate, then call one service."""
