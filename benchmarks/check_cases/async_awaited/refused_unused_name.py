async def write_receipt(ledger, entry):
    await ledger.append(entry)


async def settle(ledger, entry):
    receipt = write_receipt(ledger, entry)
    entry.settled = True
    return entry
