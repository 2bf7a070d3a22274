import click


@click.command()
@click.argument("name")
def hello(name):
    click.echo(name)


@click.command()
async def load():
    await fetch()
