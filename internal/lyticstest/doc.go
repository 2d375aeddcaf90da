// Package lyticstest is a stand-in for Lytics: an HTTP server that answers the
// documented endpoints of the Lytics API and refuses what the documentation does
// not allow. README.md lists every endpoint with the fact behind it and the
// source of that fact.
//
// The package is written from public facts about Lytics and shares no code with
// package lytics, the client that it judges, nor with the validators of package
// platform. Where the facts are silent or contradict each other, Switches has an
// option for each possible answer.
//
// The stand-in stores events, builds profiles and evaluates filters with the
// embedded platform.
package lyticstest
