package api

import (
	"context"
	"errors"
	"io"
	"iter"
	"net/http"
	"slices"
	"time"

	"cassini/manager/enroll"
	"cassini/manager/graph"
	"cassini/manager/rings/keeper"
	"cassini/model"
)

// nobody is the tenant of a question that bears nobody: it has no hosts, and no token can
// be of it.
const nobody = "(nobody)"

// bordered is the one place where tenants are kept to themselves: whatever a handler asks
// of the manager is asked of the part that its asker sees. A question that bears nobody,
// where somebody has to be known, is answered from an empty estate.
type bordered struct {
	Backend      // what bears no context: see tenantMay
	guarded bool // somebody has to be known
}

func (b bordered) of(ctx context.Context) Backend {
	who, known := ctx.Value(whoKey{}).(enroll.Who)
	switch {
	case !b.guarded || known && who.Tenant == "":
		return b.Backend
	case !known:
		return b.Tenant(nobody)
	}
	return b.Tenant(who.Tenant)
}

func (b bordered) Deliver(ctx context.Context, batch model.Batch) (model.Receipt, error) {
	return b.of(ctx).Deliver(ctx, batch)
}

func (b bordered) Hashes(ctx context.Context, host string) ([]model.DocumentHash, error) {
	return b.of(ctx).Hashes(ctx, host)
}

func (b bordered) Latest(ctx context.Context, host string) ([]model.Document, error) {
	return b.of(ctx).Latest(ctx, host)
}

func (b bordered) Graph(ctx context.Context, at time.Time) (*graph.Graph, error) {
	return b.of(ctx).Graph(ctx, at)
}

func (b bordered) Documents(ctx context.Context, f model.Name, at time.Time) ([]model.Document, error) {
	return b.of(ctx).Documents(ctx, f, at)
}

func (b bordered) History(ctx context.Context, f model.Name, before string, limit int) ([]LogEntry, error) {
	return b.of(ctx).History(ctx, f, before, limit)
}

func (b bordered) Log(ctx context.Context, from, to time.Time, newest bool) iter.Seq2[LogEntry, error] {
	return b.of(ctx).Log(ctx, from, to, newest)
}

func (b bordered) Events(ctx context.Context, since string) iter.Seq2[model.Event, error] {
	return b.of(ctx).Events(ctx, since)
}

func (b bordered) Watch(ctx context.Context, since string) EventStream {
	return b.of(ctx).Watch(ctx, since)
}

func (b bordered) Refresh(ctx context.Context, host string) error {
	return b.of(ctx).Refresh(ctx, host)
}

func (b bordered) Join(ctx context.Context, j model.Join) (*model.Joined, error) {
	return b.of(ctx).Join(ctx, j)
}

func (b bordered) Rings(ctx context.Context) (keeper.View, error) { return b.of(ctx).Rings(ctx) }

func (b bordered) Rotate(ctx context.Context) error { return b.of(ctx).Rotate(ctx) }

func (b bordered) Forget(ctx context.Context, host string) (model.Forgotten, error) {
	return b.of(ctx).Forget(ctx, host)
}

func (b bordered) Compact(ctx context.Context) (model.Compacted, error) {
	return b.of(ctx).Compact(ctx)
}

func (b bordered) Expel(ctx context.Context, host string) error { return b.of(ctx).Expel(ctx, host) }

func (b bordered) Acknowledge(ctx context.Context, id string, ack *model.Ack) error {
	return b.of(ctx).Acknowledge(ctx, id, ack)
}

func (b bordered) Silence(ctx context.Context, s model.Silence) (model.Silence, error) {
	return b.of(ctx).Silence(ctx, s)
}

func (b bordered) EndSilence(ctx context.Context, id string) (model.Silence, error) {
	return b.of(ctx).EndSilence(ctx, id)
}

func (b bordered) Backup(ctx context.Context, w io.Writer) error { return b.of(ctx).Backup(ctx, w) }

// tenantMay says whether a route is for a tenant's people. Those that answer from the log
// see their tenant's part of it; of the others only these say nothing of the estate, or
// look who asks.
func tenantMay(r route) bool {
	name := r.method + " " + r.path
	if slices.Contains([]string{"POST /api/v1/rings/rotate", "POST /api/v1/hosts/forget", "POST /api/v1/store/compact", "GET /api/v1/alerts/receivers", "GET /api/v1/backup"}, name) {
		return false
	}
	return r.data || slices.Contains([]string{"GET /api/v1/status", "GET /api/v1/openapi.json", "GET /", "GET /api/v1/enroll/hosts"}, name)
}

// tenant is whose hosts the asker sees; "" sees all.
func tenant(r *http.Request) string {
	who, _ := r.Context().Value(whoKey{}).(enroll.Who)
	return who.Tenant
}

// tenantOf is whose a host is; nil where all that is asked about is of one.
func (s *server) tenantOf(r *http.Request) func(host string) string {
	if s.Enroll == nil || tenant(r) != "" {
		return nil
	}
	return s.Enroll.TenantOf
}

// hostParams are parameters that name a host, nodeParams those that name a node.
var (
	hostParams = []string{"host", "a", "b"}
	nodeParams = []string{"of", "id", "node", "from", "to", "symptom"}
)

// nextDoor is the host of another that somebody of a tenant asks about by name, or "".
// Whether there is such a host makes no difference.
func (s *server) nextDoor(r *http.Request, p params) string {
	of := tenant(r)
	if of == "" {
		return ""
	}
	foreign := func(host string) bool { return host != "" && s.Enroll.TenantOf(host) != of }
	for _, name := range hostParams {
		if host := p.get(name); foreign(host) {
			return host
		}
	}
	for _, name := range nodeParams {
		for _, node := range p.texts[name] {
			if host := model.NodeHost(node); foreign(host) {
				return host
			}
		}
	}
	return ""
}

// refuseNextDoor answers who asks about a host that is not the tenant's.
func (s *server) refuseNextDoor(w http.ResponseWriter, r *http.Request, host string) {
	of := tenant(r)
	noted(r).target = host
	if s.Requests != nil {
		s.Requests.refuseBorder()
	}
	s.refuse(w, r, http.StatusForbidden, s.speaker(r), "tenant "+of+" has no host "+headerText(host)+": you see hosts of your tenant alone ('cassini agents' lists them)")
}

// errEstate is why a route is not for tenants.
var errEstate = errors.New("this is of the whole estate, and you are of one tenant; ask somebody who is of none")
