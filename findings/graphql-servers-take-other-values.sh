#!/usr/bin/env bash
# SPDX-FileCopyrightText: seek-signal contributors
# SPDX-License-Identifier: MIT
#
# Five GraphQL servers differ in which values of a variable fit String, Int and ID, and one drops a member that the input does
# not have.
#
# Seen 2026-11-30: python3-graphene 2.1.9 on graphql-core 2.3.2, ruby-graphql 1.13.15, libgraphql-perl 0.54,
#   graph-gophers/graphql-go 1.5.0 with Go 1.19.8 (Debian 12); graphql 16.11.0 for JavaScript, Node 20.
# A good guess: the specification (3.5, "Input Coercion") has the same rules for all. A String takes strings alone, an Int
#   takes no 1.5 and no "5", an ID takes strings and integers, and a member that the input object does not have is an error.
# What happens: JavaScript and Ruby keep to that, but Ruby refuses 5.0 for an Int, which JavaScript takes. Graphene takes a
#   list or true for a String, as the text ['n'] or true, and cuts 1.5 to 1. Graphene and Perl take 5 for a String and "5" for
#   an Int. Go refuses the number 1 for an ID, and drops an unknown member without a word.
# Why it matters: a mistyped optional member is lost behind Go, and a wrong type is stored behind Python, where the tests ran
#   against JavaScript. A stand-in for a server accepts or refuses something else than the server. Send strings for ID and
#   String, integers for Int, and read the input's type before you trust a success.
# shellcheck source-path=SCRIPTDIR source=common
. "$(dirname "$0")/common"
debian_packages python3-graphene=2.1.9 python3-graphql-core=2.3.2 ruby=1:3.1 ruby-graphql=1.13.15 libgraphql-perl=0.54 golang-go=2:1.19 \
    golang-github-graph-gophers-graphql-go-dev=1.5.0
npm_packages graphql@16.11.0

# Each prints what its resolver got for the input of the variables, or "refused".
cat >server.py <<'END'
import json, sys, graphene

class In(graphene.InputObjectType):
    id = graphene.ID(required=True)
    name = graphene.String(required=True)
    count = graphene.Int()

class Send(graphene.Mutation):
    class Arguments:
        input = In(required=True)
    got = graphene.String()
    def mutate(root, info, input):
        return Send(got=json.dumps([input.id, input.name, input.get("count")]))

class Mutation(graphene.ObjectType):
    send = Send.Field()

class Query(graphene.ObjectType):
    one = graphene.Int()

answer = graphene.Schema(query=Query, mutation=Mutation).execute(sys.argv[1], variables=json.loads(sys.argv[2]))
print("refused" if answer.errors else answer.data["send"]["got"])
END
cat >server.rb <<'END'
require "graphql"
require "json"

class In < GraphQL::Schema::InputObject
  argument :id, ID, required: true
  argument :name, String, required: true
  argument :count, Integer, required: false
end
class Out < GraphQL::Schema::Object
  field :got, String, null: true
end
class Mutations < GraphQL::Schema::Object
  field :send, Out, null: true, resolver_method: :take do
    argument :input, In, required: true
  end
  def take(input:)
    { got: JSON.generate([input.id, input.name, input.count]) }
  end
end
class Queries < GraphQL::Schema::Object
  field :one, Integer, null: true
end
class Server < GraphQL::Schema
  query Queries
  mutation Mutations
end

answer = Server.execute(ARGV[0], variables: JSON.parse(ARGV[1])).to_h
puts answer["errors"] ? "refused" : answer["data"]["send"]["got"]
END
sdl='input In { id: ID! name: String! count: Int } type Out { got: String } type Mutation { send(input: In!): Out } type Query { one: Int }'
cat >server.pl <<'END'
use GraphQL::Schema;
use GraphQL::Execution qw(execute);
use JSON::PP;

my $schema = GraphQL::Schema->from_doc($ENV{SDL});
my $take = sub { my $in = $_[0]{input}; { got => JSON::PP->new->encode([@$in{qw(id name count)}]) } };
my $answer = execute($schema, $ARGV[0], { send => $take }, undef, decode_json($ARGV[1]));
print $answer->{errors} ? "refused" : $answer->{data}{send}{got};
END
mkdir server
cat >server/main.go <<'END'
package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"

	graphql "github.com/graph-gophers/graphql-go"
)

type in struct {
	ID    graphql.ID
	Name  string
	Count *int32
}

type out struct{ got string }

func (o *out) Got() *string { return &o.got }

type root struct{}

func (*root) One() *int32 { return nil }

func (*root) Send(arguments struct{ Input in }) *out {
	got, _ := json.Marshal([]interface{}{arguments.Input.ID, arguments.Input.Name, arguments.Input.Count})
	return &out{string(got)}
}

func main() {
	var variables map[string]interface{}
	_ = json.Unmarshal([]byte(os.Args[2]), &variables)
	answer := graphql.MustParseSchema(os.Getenv("SDL"), &root{}).Exec(context.Background(), os.Args[1], "", variables)
	var data struct{ Send struct{ Got string } }
	_ = json.Unmarshal(answer.Data, &data)
	if len(answer.Errors) > 0 {
		fmt.Println("refused")
	} else {
		fmt.Println(data.Send.Got)
	}
}
END
cat >server.js <<'END'
import { buildSchema, graphql } from "graphql";

const [source, variables] = process.argv.slice(2);
const send = ({ input: { id, name, count = null } }) => ({ got: JSON.stringify([id, name, count]) });
const answer = await graphql({ schema: buildSchema(process.env.SDL), source, variableValues: JSON.parse(variables), rootValue: { send } });
console.log(answer.errors ? "refused" : answer.data.send.got);
END
(cd server && GO111MODULE=off GOPATH=/usr/share/gocode GOCACHE=$PWD/../cache go build -o ../go_server .)
export SDL=$sdl

# shellcheck disable=SC2016 # GraphQL's own
mutation='mutation ($input: In!) { send(input: $input) { got } }'
# differ WHAT INPUT GRAPHENE RUBY PERL GO JAVASCRIPT: what each makes of it
differ() {
    local variables="{\"input\": $2}"
    seen "$1, graphene" "$3" "$(/usr/bin/python3 server.py "$mutation" "$variables" 2>server.log | tr -d ' ')"
    seen "$1, Ruby" "$4" "$(ruby -W0 server.rb "$mutation" "$variables" 2>server.log)"
    seen "$1, Perl" "$5" "$(perl server.pl "$mutation" "$variables" 2>server.log)"
    seen "$1, Go" "$6" "$(./go_server "$mutation" "$variables" 2>server.log)"
    seen "$1, JavaScript" "$7" "$(node server.js "$mutation" "$variables" 2>server.log)"
}
right='["1","n",null]'
differ "all fits" '{"id": "1", "name": "n"}' "$right" "$right" "$right" "$right" "$right"
differ "a number for String" '{"id": "1", "name": 5}' '["1","5",null]' refused '["1",5,null]' refused refused
differ "true for String" '{"id": "1", "name": true}' '["1","true",null]' refused refused refused refused
differ "a list for String" '{"id": "1", "name": ["n"]}' "[\"1\",\"['n']\",null]" refused refused refused refused
differ "1.5 for Int" '{"id": "1", "name": "n", "count": 1.5}' '["1","n",1]' refused refused refused refused
differ "5.0 for Int" '{"id": "1", "name": "n", "count": 5.0}' '["1","n",5]' refused '["1","n",5]' '["1","n",5]' '["1","n",5]'
differ '"5" for Int' '{"id": "1", "name": "n", "count": "5"}' '["1","n",5]' refused '["1","n",5]' refused refused
differ "1 for ID" '{"id": 1, "name": "n"}' "$right" "$right" '[1,"n",null]' refused "$right"
differ "an unknown member" '{"id": "1", "name": "n", "more": 1}' refused refused refused "$right" refused
finish
