// Traefik's command, with what its own go.mod replaces, which counts only for the main module.
module gatehouse.test/traefik

go 1.26

require github.com/traefik/traefik/v3 v3.7.13

replace (
	github.com/abbot/go-http-auth => github.com/containous/go-http-auth v0.4.1-0.20200324110947-a37a7636d23e
	github.com/gorilla/mux => github.com/containous/mux v0.0.0-20250523120546-41b6ec3aed59
)

// Is a folder of Traefik's repository, and no part of its module; it holds two empty types.
replace github.com/traefik/traefik/dynamic/ext => ./ext

// Without its clients of DNS providers, which are most of what would be downloaded: nobody asks for a certificate here.
// tests/peers/gobuilt.py makes this copy.
replace github.com/go-acme/lego/v5 => ./lego

exclude github.com/tencentcloud/tencentcloud-sdk-go v3.0.83+incompatible
