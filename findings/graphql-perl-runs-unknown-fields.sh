#!/usr/bin/env bash
# SPDX-FileCopyrightText: seek-signal contributors
# SPDX-License-Identifier: MIT
#
# Perl's GraphQL runs a mutation that does not fit the schema, and answers it with null and no error.
#
# Seen 2026-11-30, Debian 12: libgraphql-perl 0.54; python3-graphql-core 2.3.2 beside it.
# A good guess: a document is validated before anything runs (GraphQL specification, section 5). A field or an argument that
#   the schema does not have gives `errors` and no `data`, and the resolver is not called.
# What happens: a mutation with an unknown field in its selection runs, and the answer is {"data":{"send":null}}. With an
#   unknown argument it runs too, and its result is given. A mutation that is unknown itself is {"data":null}. None has
#   `errors`. A variable that does not fit its type does have them.
# Why it matters: null without an error is a legal success where the schema allows null. After a change of the schema a caller
#   believes that its mutation was done, and it may have been, or not. Ask for a result that is never null, and look for it.
# shellcheck source-path=SCRIPTDIR source=common
. "$(dirname "$0")/common"
debian_packages libgraphql-perl=0.54 python3-graphql-core=2.3.2

cat >server.pl <<'END'
use GraphQL::Schema;
use GraphQL::Execution qw(execute);
use JSON::PP;

my $schema = GraphQL::Schema->from_doc('type Out { id: ID } type Mutation { send(id: ID!): Out } type Query { one: Int }');
my $calls = 0;
my $answer = execute($schema, $ARGV[0], { send => sub { $calls++; { id => $_[0]{id} } } }, undef, decode_json($ARGV[1] // "{}"));
delete $_->{locations} for @{ $answer->{errors} // [] };
print JSON::PP->new->canonical->convert_blessed->allow_blessed->encode($answer), ", $calls call(s)\n";
END
cat >server.py <<'END'
import json, sys
from graphql import build_ast_schema, graphql, parse

calls = 0

def send(root, info, id):
    global calls
    calls += 1
    return {"id": id}

schema = build_ast_schema(parse("""
type Out { id: ID }
type Mutation { send(id: ID!): Out }
type Query { one: Int }
schema { query: Query mutation: Mutation }
"""))
schema.get_mutation_type().fields["send"].resolver = send
answer = graphql(schema, sys.argv[1])
print("errors" if answer.errors else json.dumps(answer.data), f"{calls} call(s)", sep=", ")
END
perl_says() { perl server.pl "$@"; }
python_says() { /usr/bin/python3 server.py "$1"; }

right='mutation { send(id: 1) { id } }'
selection='mutation { send(id: 1) { state } }'
argument='mutation { send(id: 1, token: 2) { id } }'
unknown='mutation { sendSignal(id: 1) { id } }'
seen "Perl, right" '{"data":{"send":{"id":"1"}}}, 1 call(s)' "$(perl_says "$right")"
seen "Perl, an unknown field" '{"data":{"send":null}}, 1 call(s)' "$(perl_says "$selection")"
seen "Perl, an unknown argument" '{"data":{"send":{"id":"1"}}}, 1 call(s)' "$(perl_says "$argument")"
seen "Perl, an unknown mutation" '{"data":null}, 0 call(s)' "$(perl_says "$unknown")"
# shellcheck disable=SC2016 # GraphQL's own
seen "Perl, a variable that does not fit" 'errors, 0 call(s)' \
    "$(perl_says 'mutation($id: ID!) { send(id: $id) { id } }' '{"id": null}' | sed 's/^{"errors":.*},/errors,/')"
for document in "$selection" "$argument" "$unknown"; do
    seen "Python, $document" "errors, 0 call(s)" "$(python_says "$document")"
done
seen "Python, right" '{"send": {"id": "1"}}, 1 call(s)' "$(python_says "$right")"
finish
