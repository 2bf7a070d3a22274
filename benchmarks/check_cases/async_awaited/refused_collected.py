async def ship(parcel):
    await parcel.carrier.ship(parcel)


async def ship_all(parcels):
    jobs = []
    for parcel in parcels:
        jobs.append(ship(parcel))
    return {"shipped": len(jobs)}
