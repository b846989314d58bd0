"""What people look at: the report and the workbook of a segmentation."""
