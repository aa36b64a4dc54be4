package view

import (
	"fmt"
	"time"

	"cassini/cmd/cassini/internal/output"
	"cassini/model"
)

// Event is one event on one line. Lines align with each other whatever comes
// later, so that a stream is as good to look at as a table.
func Event(e model.Event, term output.Terminal, zone *time.Location) string {
	at := e.Time.In(zone).Format("2006-01-02 15:04:05")
	kind := fmt.Sprintf("%-18s", output.Clean(e.Kind))
	return fmt.Sprintf("%s  %s  %s  %s", term.Paint(output.Dim, at), term.Paint(eventStyle(e.Kind), kind), output.Clean(e.Host), output.Clean(e.Summary))
}

func eventStyle(kind string) output.Style {
	switch kind {
	case model.EventServiceStarted, model.EventDependencyNew, model.EventHostSeen, model.EventLinkUp, model.EventAddressAdded, model.EventWireConnected, model.EventStrangerSeen:
		return output.Green
	case model.EventServiceEnded, model.EventHostForgotten, model.EventServiceChanged, model.EventHostChanged, model.EventLinkChanged, model.EventAddressRemoved, model.EventWireMoved, model.EventWireChanged, model.EventMACMoved, model.EventRouteAdded, model.EventRouteRemoved, model.EventRouteChanged, model.EventRouterSeen, model.EventDHCPServer:
		return output.Yellow
	case model.EventDependencyFail, model.EventLinkDown, model.EventWireLost, model.EventAddressMoved, model.EventAddressDuplicate:
		return output.Red
	}
	return output.Plain
}
