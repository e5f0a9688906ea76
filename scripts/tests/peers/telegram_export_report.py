def median(name, column):
    values = sorted(float(line.split()[column]) for line in open(f"{name}.runs"))
    return values[len(values) // 2]
fast, slow = median("ours", 0), median("peer", 0)
print(f"telegram_export: 100,000 messages, same entries in both files, median of {len(open('ours.runs').readlines())}")
print(f"  time   export_any_chat {fast:.2f} s (at most 10 pages a second), Telethon {slow:.2f} s (without any wait)")
print(f"  cpu    export_any_chat {median('ours', 2):.2f} s, Telethon {median('peer', 2):.2f} s: {median('peer', 2) / median('ours', 2):.1f} times less (bar 8)")
print(f"  memory export_any_chat {median('ours', 1) / 1024:.1f} MB, Telethon {median('peer', 1) / 1024:.1f} MB: {median('peer', 1) / median('ours', 1):.1f} times less (bar 4)")
far, far_peer = median("far", 0), median("far_peer", 0)
print(f"  80 ms  20,000 messages: export_any_chat {far:.2f} s, Telethon {far_peer:.2f} s: {far_peer / far:.1f} times as fast (bar 3)")
print(f"         requests of all rounds, both programs: {open('far.requests').read().strip()}")
print(f"  flat   10,000: {median('small', 1) / 1024:.1f} MB, 1,000,000: {median('million', 1) / 1024:.1f} MB: {median('million', 1) / median('small', 1):.2f} times (bar 1.5)")
