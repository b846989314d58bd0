"""What the customers of `make_crm` say: sentences by language and topic, in our own words."""

from __future__ import annotations

from typing import Final

__all__ = ["LANGUAGES", "OPENINGS", "SENTENCES", "TOPICS"]

LANGUAGES: Final = ("zh-Hans", "zh-Hant", "en")

#: The place of each topic in SENTENCES.
TOPICS: Final = {
    topic: place
    for place, topic in enumerate(
        ("price", "lead_time", "certification", "reference", "complaint", "service", "product")
    )
}

OPENINGS: Final = (
    ["您好，", "王经理好，", "电话记录：", "拜访纪要：", ""],
    ["您好，", "陳經理好，", "電話紀錄：", ""],
    ["Hello, ", "Dear team, ", "Call note: ", ""],
)

#: Sentences by language (as in LANGUAGES), then topic (as in TOPICS).
SENTENCES: Final = (
    (
        [
            "这批的价格还能再优惠吗？",
            "同行报价低了５％，请重新报价。",
            "年度框架价格什么时候更新？",
            "有没有满减或折扣？",
        ],
        [
            "交付周期太长，能不能缩短？",
            "请确认交期，项目等着用。",
            "交期从30天改到20天可以吗？",
            "客户复述了交期要求：第一批交期十天，第二批交期二十天，备件交期五天，交期延误要赔偿，交期以合同为准，交期变更需书面确认。",
        ],
        [
            "请提供ＩＳＯ９００１认证证书。",
            "这款有没有CE认证资质？",
            "投标需要检测报告和认证资质。",
        ],
        [
            "能介绍几个同行业的案例吗？",
            "案例数量是评标的打分项。",
            "想参观一家已经投产的客户。",
        ],
        [
            "上次送来的阀门有破损，要求退货！",
            "投诉：售后三天没人回电话。",
            "交货又晚了，我们很不满意。",
        ],
        [
            "需要安排一次上门培训。",
            "谢谢，设备运行正常。",
            "请把发票寄到新地址。",
        ],
        [
            "这个型号支持定制吗？",
            "想了解新款传感器的参数。",
            "备件库存还有多少？",
        ],
    ),
    (
        ["這批的價格還能再優惠嗎？", "有沒有折扣？", "請重新報價，價格偏高。"],
        ["交付週期太長，可以縮短嗎？", "請確認交期。"],
        ["請提供ISO9001認證證書。", "投標需要認證資質。"],
        ["可以介紹幾個同業的案例嗎？", "想看看實績案例。"],
        ["上次送來的閥門有破損，要求退貨！", "投訴：售後三天沒人回電。"],
        ["需要安排一次到場培訓。", "謝謝，設備運作正常。"],
        ["這個型號可以客製嗎？", "想了解新款感測器的規格。"],
    ),
    (
        [
            "Is there any discount on this price? ",
            "A competitor quoted a lower price. ",
            "Please send a new quotation. ",
        ],
        ["What is the lead time? ", "The Lead Time is too long for our project. ", "Can delivery be earlier? "],
        ["Please send the ISO 9001 certificate. ", "Do you hold a CE certification? "],
        ["Do you have reference cases in our industry? ", "Could we visit a reference customer? "],
        ["The last delivery was damaged, we want a refund! ", "Complaint: nobody called back for three days. "],
        ["We need a training on site. ", "Thank you, all machines run well. ", "Please mail the invoice. "],
        ["Can this model be customised? ", "Please send the data sheet of the new sensor. "],
    ),
)
