// Package ext holds what editions of Traefik add to its configuration: nothing.
package ext

type HTTP struct{}

type Router struct{}
