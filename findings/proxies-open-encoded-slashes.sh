#!/usr/bin/env bash
# SPDX-FileCopyrightText: seek-signal contributors
# SPDX-License-Identifier: MIT
#
# Apache, lighttpd and nginx do not pass on a %2F in a path as it is.
#
# Seen 2026-11-30, Debian 12: apache2-bin 2.4.71, lighttpd 1.4.69, nginx 1.22.1. Beside them haproxy 2.6.12 and caddy 2.6.2.
# A good guess: a reverse proxy without a rule about paths passes on the path that it got. RFC 3986 §2.2 says that %2F and
#   "/" are different, so an id in a path may have a slash if it is encoded.
# What happens: haproxy and caddy do that, and so does nginx if `proxy_pass` has no path. Apache answers 404 itself. lighttpd,
#   and nginx with a path in `proxy_pass`, make "/" of it. The same three resolve %2E%2E as "..". With
#   `AllowEncodedSlashes NoDecode` and `nocanon`, or with `url-path-2f-decode` disabled, Apache and lighttpd pass %2F on.
# Why it matters: an application id such as "2026/17" works against the service and fails behind the proxy. It can even
#   reach another resource, so ids in paths should have neither slashes nor dots alone.
# shellcheck source-path=SCRIPTDIR source=common
. "$(dirname "$0")/common"
debian_packages apache2-bin=2.4.71 lighttpd=1.4.69 nginx=1.22.1 haproxy=2.6.12 caddy=2.6.2 curl=7.88.1

cat >backend.py <<'END'
import http.server

class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        path = self.path.encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(path)))
        self.end_headers()
        self.wfile.write(path)
END
http_server backend.py

ports=$(python3 -c 'import socket
print(*(s.getsockname()[1] for s in [socket.create_server(("127.0.0.1", 0)) for _ in range(8)]))')
read -r apache apache_set lighttpd lighttpd_set nginx nginx_path haproxy caddy <<<"$ports"

modules=/usr/lib/apache2/modules
cat >apache.conf <<END
ServerName localhost
PidFile $PWD/apache.pid
ErrorLog $PWD/apache.log
LoadModule mpm_event_module $modules/mod_mpm_event.so
LoadModule authz_core_module $modules/mod_authz_core.so
LoadModule proxy_module $modules/mod_proxy.so
LoadModule proxy_http_module $modules/mod_proxy_http.so
Listen 127.0.0.1:$apache
Listen 127.0.0.1:$apache_set
<VirtualHost 127.0.0.1:$apache>
    ProxyPass / $url/
</VirtualHost>
<VirtualHost 127.0.0.1:$apache_set>
    AllowEncodedSlashes NoDecode
    ProxyPass / $url/ nocanon
</VirtualHost>
END
in_background apache2 -X -f "$PWD/apache.conf"

for port in "$lighttpd" "$lighttpd_set"; do
    cat >"lighttpd.$port" <<END
server.bind = "127.0.0.1"
server.port = $port
server.document-root = "$PWD"
server.modules = ("mod_proxy")
proxy.server = ("" => (("host" => "127.0.0.1", "port" => ${url##*:})))
END
done
echo 'server.http-parseopts = ("url-path-2f-decode" => "disable")' >>"lighttpd.$lighttpd_set"
in_background lighttpd -D -f "lighttpd.$lighttpd"
in_background lighttpd -D -f "lighttpd.$lighttpd_set"

cat >nginx.conf <<END
daemon off;
pid $PWD/nginx.pid;
error_log $PWD/nginx.log;
events {}
http {
    access_log off;
    client_body_temp_path $PWD/nginx1; proxy_temp_path $PWD/nginx2; fastcgi_temp_path $PWD/nginx3;
    uwsgi_temp_path $PWD/nginx4; scgi_temp_path $PWD/nginx5;
    server { listen 127.0.0.1:$nginx; location / { proxy_pass $url; } }
    server { listen 127.0.0.1:$nginx_path; location / { proxy_pass $url/; } }
}
END
in_background nginx -c "$PWD/nginx.conf"

start_haproxy "$haproxy" "${url##*:}"

cat >Caddyfile <<END
{
    admin off
    auto_https off
}
http://127.0.0.1:$caddy {
    reverse_proxy 127.0.0.1:${url##*:}
}
END
in_background env HOME="$PWD" caddy run --config Caddyfile

get() { curl -s --noproxy '*' --path-as-is -m 5 -o body -w '%{http_code}' "http://127.0.0.1:$1$2" || true; }
for port in $ports; do
    for _ in $(seq 50); do
        [ "$(get "$port" /)" = 200 ] && break
        sleep 0.2
    done
done
# passed PORT PATH: what the server behind the proxy got, or the proxy's own answer
passed() {
    local status
    status=$(get "$1" "$2")
    if [ "$status" = 200 ]; then cat body; else echo "$status"; fi
}

for path in /a/2026%2F17/token /a/%2E%2E/token; do
    seen "haproxy, $path" "$path" "$(passed "$haproxy" "$path")"
    seen "caddy, $path" "$path" "$(passed "$caddy" "$path")"
    seen "nginx, $path" "$path" "$(passed "$nginx" "$path")"
done
seen "Apache, %2F" 404 "$(passed "$apache" /a/2026%2F17/token)"
seen "lighttpd, %2F" /a/2026/17/token "$(passed "$lighttpd" /a/2026%2F17/token)"
seen "nginx with a path, %2F" /a/2026/17/token "$(passed "$nginx_path" /a/2026%2F17/token)"
seen "Apache, %2E%2E" /token "$(passed "$apache" /a/%2E%2E/token)"
seen "lighttpd, %2E%2E" /token "$(passed "$lighttpd" /a/%2E%2E/token)"
seen "nginx with a path, %2E%2E" /token "$(passed "$nginx_path" /a/%2E%2E/token)"
seen "Apache set as above, %2F" /a/2026%2F17/token "$(passed "$apache_set" /a/2026%2F17/token)"
seen "lighttpd set as above, %2F" /a/2026%2F17/token "$(passed "$lighttpd_set" /a/2026%2F17/token)"
finish
