// Package simulator runs the state machines of agents and manager, as they are in
// production, on virtual time and a modelled network: agent/heartbeat/member on every
// host, manager/rings once. Hosts die, hang, are cut off; switches fail; datagrams are
// lost. Nothing here decides anything: it only delivers.
package simulator
