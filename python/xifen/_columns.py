"""The name of every column xifen writes or looks for by default, once."""

from __future__ import annotations

from typing import Final

CUSTOMER_ID: Final = "customer_id"
TIMESTAMP: Final = "timestamp"
AMOUNT: Final = "amount"
TEXT: Final = "text"

FIRST_PURCHASE: Final = "first_purchase"
LAST_PURCHASE: Final = "last_purchase"
RECENCY_DAYS: Final = "recency_days"
ORDER_COUNT: Final = "order_count"
PURCHASE_DAYS: Final = "purchase_days"
ROW_COUNT: Final = "row_count"
MONETARY: Final = "monetary"
GROSS_AMOUNT: Final = "gross_amount"
RETURNED_AMOUNT: Final = "returned_amount"
MEAN_ORDER_VALUE: Final = "mean_order_value"
TENURE_DAYS: Final = "tenure_days"
ORDERS_PER_YEAR: Final = "orders_per_year"
MEAN_GAP_DAYS: Final = "mean_gap_days"
DISCOUNT_SHARE: Final = "discount_share"

FREQUENCY: Final = "frequency"
RECENCY: Final = "recency"
AGE: Final = "T"
MONETARY_VALUE: Final = "monetary_value"

ROW: Final = "row"
REASON: Final = "reason"
DUPLICATE: Final = "duplicate"
ROWS: Final = "rows"
FIRST_ROW: Final = "first_row"

RECENCY_SCORE: Final = "recency_score"
FREQUENCY_SCORE: Final = "frequency_score"
MONETARY_SCORE: Final = "monetary_score"
RFM_CELL: Final = "rfm_cell"
RFM_SCORE: Final = "rfm_score"
SEGMENT: Final = "segment"
#: What RFMScorer adds.
SCORES: Final = (RECENCY_SCORE, FREQUENCY_SCORE, MONETARY_SCORE, RFM_CELL, RFM_SCORE)

TOTAL_POINTS: Final = "total_points"
SCORE: Final = "score"
SCORE_REASON: Final = "score_reason"

MATRIX_CELL: Final = "matrix_cell"
INVESTMENT_LEVEL: Final = "investment_level"
PLAYBOOK_KEY: Final = "playbook_key"

NAME: Final = "name"
INDUSTRY: Final = "industry"
CONTACT: Final = "contact"
CREATED: Final = "created"
ORDER_COUNT_12M: Final = "order_count_12M"
MONETARY_12M: Final = "monetary_12M"
NEED_TYPE: Final = "need_type"
VALUE_GRADE: Final = "value_grade"
CUSTOMER_TYPE: Final = "customer_type"
STRATEGY: Final = "strategy"
NOTES: Final = "notes"
OPT_OUT: Final = "opt_out"
