package alerts

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"cassini/model"
)

// Settings are the receivers.
type Settings struct {
	Alertmanagers []string // URLs
	Webhooks      []string // URLs
	SecretFiles   []string // with which webhooks are signed: one file
	Program       string   // a command line; see ParseProgram
	// TenantPrograms are TENANT=PROGRAM. What else is in lists here can have TENANT= before
	// it, too: it is told of the tenant's incidents alone, as the tenant sees them.
	TenantPrograms []string
}

// Any says whether there are receivers.
func (s Settings) Any() bool {
	return len(s.Alertmanagers)+len(s.Webhooks)+len(s.TenantPrograms) > 0 || s.Program != ""
}

// Config is what Open needs.
type Config struct {
	Settings
	Dir     string // of alerts.db; exists
	Manager string // the host of this manager
	Source  Source
	// Of is what a tenant sees of it; nil where there are no tenants.
	Of     func(tenant string) Source
	Logger *slog.Logger     // nil says nothing
	Now    func() time.Time // nil is time.Now
}

// Alerts tells receivers. Its methods may be called concurrently.
type Alerts struct {
	disk       *disk
	deliveries []*delivery
}

// Receivers makes the receivers of settings. Errors wrap ErrInvalid.
func (s Settings) Receivers(manager string) (list []Receiver, err error) {
	for _, raw := range s.Alertmanagers {
		tenant, raw := splitTenant(raw)
		e, err := newEndpoint("alertmanager", tenant, raw)
		if err != nil {
			return nil, err
		}
		list = append(list, &alertmanager{e})
	}
	secrets, err := s.secrets()
	if err != nil {
		return nil, err
	}
	for _, raw := range s.Webhooks {
		tenant, raw := splitTenant(raw)
		e, err := newEndpoint("webhook", tenant, raw)
		if err != nil {
			return nil, err
		}
		list = append(list, &webhook{e, manager, secrets[tenant]})
	}
	programs, err := s.programs(manager)
	if err != nil {
		return nil, err
	}
	list = append(list, programs...)
	return list, unique(list)
}

// unique gives receivers of one name numbers, and refuses what is there twice.
func unique(list []Receiver) error {
	keys, names := make(map[string]bool), make(map[string]int)
	for _, r := range list {
		if keys[r.Key()] {
			return fmt.Errorf("%s: %w: it is named twice", r.Name(), ErrInvalid)
		}
		keys[r.Key()] = true
		names[r.Name()]++
		if n := names[r.Name()]; n > 1 {
			switch r := r.(type) {
			case *alertmanager:
				r.name = fmt.Sprintf("%s#%d", r.name, n)
			case *webhook:
				r.name = fmt.Sprintf("%s#%d", r.name, n)
			}
		}
	}
	return nil
}

// Open reads what receivers were told. Without receivers it forgets it: who is named anew
// hears what is open then.
func Open(cfg Config) (*Alerts, error) {
	receivers, err := cfg.Receivers(cfg.Manager)
	if err != nil {
		return nil, err
	}
	return open(cfg, receivers)
}

func open(cfg Config, receivers []Receiver) (*Alerts, error) {
	cfg.Logger = cmp.Or(cfg.Logger, slog.New(slog.DiscardHandler))
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	if err := checkTenants(receivers, cfg.Of != nil); err != nil {
		return nil, err
	}
	d, err := openDisk(cfg.Dir)
	if err != nil {
		return nil, err
	}
	a := &Alerts{disk: d}
	var keys []string
	for _, r := range receivers {
		keys = append(keys, r.Key())
	}
	if err := d.keep(keys); err != nil {
		return nil, errors.Join(fmt.Errorf("forget receivers that are not there any more: %w", err), d.Close())
	}
	for _, r := range receivers {
		m, err := d.load(r.Key())
		if err != nil {
			return nil, errors.Join(err, d.Close())
		}
		source := cfg.Source
		if r.Tenant() != "" {
			source = cfg.Of(r.Tenant())
		}
		a.deliveries = append(a.deliveries, &delivery{
			Receiver: r, source: source, disk: d, log: cfg.Logger, now: cfg.Now, wake: make(chan struct{}, 1), memory: m, kept: m.cursor,
			stats: model.ReceiverStats{Name: r.Name(), Tenant: r.Tenant()},
		})
	}
	return a, nil
}

// Run tells receivers until the context ends.
func (a *Alerts) Run(ctx context.Context) {
	var all sync.WaitGroup
	for _, d := range a.deliveries {
		all.Go(func() { d.run(ctx) })
	}
	all.Wait()
}

// Wake says that incidents have changed.
func (a *Alerts) Wake() {
	for _, d := range a.deliveries {
		select {
		case d.wake <- struct{}{}:
		default: // it has yet to look
		}
	}
}

// Stats are the figures of all receivers.
func (a *Alerts) Stats() []model.ReceiverStats {
	list := make([]model.ReceiverStats, 0, len(a.deliveries))
	for _, d := range a.deliveries {
		list = append(list, d.figures())
	}
	return list
}

// Close closes the file, after Run.
func (a *Alerts) Close() error {
	for _, d := range a.deliveries {
		d.Close()
	}
	return a.disk.Close()
}
