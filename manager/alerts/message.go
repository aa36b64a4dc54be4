package alerts

import (
	"encoding/json"
	"fmt"
	"time"

	"cassini/model"
)

// Message is what webhooks and programs are given.
type Message struct {
	Version int `json:"version"` // 1
	// Delivery is the same when a message comes again, and another one for each change of
	// an incident.
	Delivery string         `json:"delivery"`
	Status   string         `json:"status"`
	Sent     time.Time      `json:"sent"`
	Manager  string         `json:"manager"`          // its host
	Tenant   string         `json:"tenant,omitempty"` // whose receiver it is, who sees it so; none: the whole estate's
	Incident model.Incident `json:"incident"`
}

func newMessage(n Notice, manager, tenant string, now time.Time) (Message, []byte, error) {
	m := Message{Version: 1, Delivery: n.Incident.ID + "/" + n.print, Status: n.Status, Sent: now.UTC(), Manager: manager, Tenant: tenant, Incident: n.Incident}
	raw, err := json.Marshal(m)
	if err != nil {
		return m, nil, fmt.Errorf("encode incident %s: %w", n.Incident.ID, err)
	}
	return m, append(raw, '\n'), nil
}
