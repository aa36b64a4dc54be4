package main

import (
	"time"

	"github.com/spf13/pflag"

	"cassini/cmd/cassini/internal/config"
	"cassini/manager/alerts"
)

// alertSettings are who is told of incidents, and from when on a listener is news.
type alertSettings struct {
	alerts.Settings
	learn time.Duration
}

func addAlerts(flags *pflag.FlagSet, a *alertSettings) {
	flags.StringSliceVar(&a.Alertmanagers, "alert-alertmanager", nil, "`URLs` of Alertmanagers that are told of incidents, such as http://127.0.0.1:9093; with TENANT= before one, of a tenant's alone")
	flags.StringSliceVar(&a.Webhooks, "alert-webhook", nil, "`URLs` to which incidents are posted as JSON; with TENANT= before one, of a tenant's alone")
	flags.StringSliceVar(&a.SecretFiles, "alert-webhook-secret-file", nil, "`file` with the secret by which webhooks are signed; TENANT=FILE for those of a tenant")
	flags.StringVar(&a.Program, "alert-program", "", "`program` with arguments, or a JSON array of them, that is started for each incident and gets it as JSON on its standard input")
	flags.StringArrayVar(&a.TenantPrograms, "alert-tenant-program", nil, "`TENANT=PROGRAM`: likewise, of the incidents of a tenant alone; may be repeated")
	flags.DurationVar(&a.learn, "alert-learn", 0, "how long a host is known until a new listener there is an incident; a day by default")
	config.Mark(flags, "alert-alertmanager", "alert-webhook", "alert-webhook-secret-file", "alert-program", "alert-tenant-program", "alert-learn")
}

// check refuses settings that cannot work before anything else begins.
func (a *alertSettings) check() error {
	switch {
	case a.learn < 0:
		return usagef("--alert-learn/CASSINI_ALERT_LEARN %v: want a duration above 0", a.learn)
	case len(a.SecretFiles) > 0 && len(a.Webhooks) == 0:
		return usagef("--alert-webhook-secret-file/CASSINI_ALERT_WEBHOOK_SECRET_FILE: there is no --alert-webhook to sign")
	}
	if _, err := a.Receivers(""); err != nil {
		return usagef("--alert-...: %w", err)
	}
	return nil
}
