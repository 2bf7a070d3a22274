"""The words of a renaming: those that it puts, those that it never touches, and those that carry the meaning."""

from __future__ import annotations

_NATURE = """
acorn alder amber anchor antler arbour aspen badger bamboo barley basalt beacon beaver birch bramble breeze brook bugle
burrow cactus canopy canyon cedar chalk chestnut clover cobalt comet condor copper coral cradle crater creek cricket
crocus cypress daffodil dapple delta dewdrop dolphin dove driftwood dune eagle ebony elder ember fawn fennel fern ferret
fiddle finch fjord flax flint foxglove frost garnet gecko geyser ginger glacier glade gorse granite gravel grotto grove
gull harbour hawthorn hazel heather hedge heron hickory hollow holly hornet ibis icicle indigo ivory jackdaw jasmine
jasper juniper kelp kestrel kingfisher lagoon lantern larch lark laurel lavender lichen lilac linden linnet lotus lupin
lynx magpie mallow maple marble marigold marmot marsh meadow mica mistletoe monsoon moor moss myrtle nectar nettle newt
nimbus nutmeg oasis obsidian ochre olive onyx opal orchard orchid oriole osprey otter oyster pebble pelican peony petrel
pheasant pigment pine plover plum pollen poplar poppy prairie primrose puffin quail quarry quartz quince raven reed
robin rosemary rowan russet saffron sage sandbar sapphire sedge sequoia shale sienna skylark slate snowdrop sorrel
sparrow spruce starling stork summit swallow swift sycamore tamarack tansy teal thicket thistle thrush thyme topaz tulip
tundra turquoise umber valley vetch violet walnut warbler willow wisteria wren yarrow zephyr zinnia
"""
_MEANING = """
account algorithm amount approve approved assert assertion async audience audit auth authentic authorization await
balance bearer charge cipher claim client commit company coupon credential credit currency current customer debit decode
default definer deposit digest discount encode error except exception expire expiry fail failed failure fetch float
global gross hash header issuer ledger limit lock login member migrate migration money organisation organization owner
paid password payment payload permission policy price private public quota rate refund response retry role salary saml
scope score secret send session settings sign signature signed skip status stock tenant test ticket token total trust
trusted unit unverified user validate valid value verified verify wallet webhook workspace
"""
_COMMON = """
app auditor owner public squads_probe steps locks rewrites scans lost file statement relation mode rows value name
message sqlstate rows_before rows_after columns_lost artifact base tree tests attack conftest main self cls args kwargs
test pytest src migrations year years month months week weeks quarter hour hours minute minutes second seconds days id
key text date time type data state level code kind
"""

WORDS = tuple(_NATURE.split())
"""What names are made of: nature, which none of the invariants speaks of."""
KEPT = frozenset(_MEANING.split())
"""Words that say what a thing is for: who has to find what is wrong needs them."""
NEVER = frozenset(_COMMON.split())
"""Names that mean something to the oracles or to nearly everything, and stay."""
