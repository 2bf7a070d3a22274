from concurrent.futures import ThreadPoolExecutor


def export_all(exporter, accounts):
    with ThreadPoolExecutor() as pool:
        for account in accounts:
            pool.submit(exporter.export, account)
    return {"status": "exported", "accounts": len(accounts)}
