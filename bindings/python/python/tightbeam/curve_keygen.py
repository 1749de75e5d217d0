"""Makes a pair of keys of CURVE, in Z85, which is plain ASCII.

`--json` prints them as JSON. `--secret KEY` finds the public key that belongs to a secret one.
"""

from __future__ import annotations

import argparse
import json

from . import curve_keypair, curve_public

__all__ = ["main"]


def main() -> None:
    """Prints what `sys.argv` asks for."""
    parser = argparse.ArgumentParser(prog="python -m tightbeam.curve_keygen", description=__doc__)
    parser.add_argument("--json", action="store_true", help="print JSON")
    parser.add_argument("--secret", metavar="KEY", help="find the public key of this secret one")
    arguments = parser.parse_args()
    if arguments.secret is None:
        public, secret = curve_keypair()
    else:
        secret = arguments.secret.encode()
        try:
            public = curve_public(secret)
        except ValueError as error:
            parser.error(str(error))
    keys = {"public": public.decode(), "secret": secret.decode()}
    print(json.dumps(keys) if arguments.json else f"public: {keys['public']}\nsecret: {keys['secret']}")


if __name__ == "__main__":
    main()
