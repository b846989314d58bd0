"""What people are shown of a Segmentation: the HTML report, charts, and the Excel workbook."""
