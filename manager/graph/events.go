package graph

import (
	"strconv"
	"time"

	"cassini/model"
)

// events collects what one document brings.
type events struct {
	key  string
	host string
	time time.Time
	at   time.Time // when the manager had the document
	list []model.Event
	// count is of those in list that bear the key of the document.
	count int
}

func (e *events) add(kind, node, summary string) {
	id := e.key
	if e.count++; e.count > 1 {
		id += "#" + strconv.Itoa(e.count)
	}
	e.list = append(e.list, model.Event{ID: id, Time: e.time.UTC(), Kind: kind, Host: e.host, Node: node, Summary: summary})
}

// pair tells something of a client and a service.
func (e *events) pair(kind string, client, server end, what, why string) {
	e.add(kind, model.EdgeID(model.EdgeDependsOn, client.id, server.id), client.label()+what+server.label()+why)
}
