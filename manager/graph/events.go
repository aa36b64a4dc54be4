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
	list []model.Event
}

func (e *events) add(kind, node, summary string) {
	id := e.key
	if n := len(e.list); n > 0 {
		id += "#" + strconv.Itoa(n+1)
	}
	e.list = append(e.list, model.Event{ID: id, Time: e.time.UTC(), Kind: kind, Host: e.host, Node: node, Summary: summary})
}
