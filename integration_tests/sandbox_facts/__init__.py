"""What is publicly known of Vitally's APIs, fact by fact, each with its page: the sandbox must answer so.

A fact is data: what it says, where it is said, the requests that show it and what they must be answered. Where the
pages are silent or contradict each other, the case says so and shows the harder reading; the easier one is a switch.
"""
