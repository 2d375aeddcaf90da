package runner

import (
	"encoding/json"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/config"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/jobs"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/store"
)

// AlertFormat is the form of the requests that deliver alerts.
type AlertFormat string

// The formats. Empty is AlertJSON.
const (
	// AlertJSON is the runner's own message, which is signed.
	AlertJSON AlertFormat = "json"
	// AlertSlack is that of an incoming webhook of Slack.
	AlertSlack AlertFormat = "slack"
	// AlertPagerDuty is an event of PagerDuty's Events API v2.
	AlertPagerDuty AlertFormat = "pagerduty"
)

// PagerDutyURL receives the events of AlertPagerDuty if no other URL is configured.
const PagerDutyURL = "https://events.pagerduty.com/v2/enqueue"

// AlertsOf are the settings of a configuration file.
func AlertsOf(c config.Alerts) AlertConfig {
	return AlertConfig{URL: c.URL, Format: AlertFormat(c.Format), Secret: c.Secret.Secret, RoutingKey: c.RoutingKey.Secret,
		StalePeriods: c.StalePeriods}
}

// check refuses what a format cannot be delivered without. Without a URL there are no
// alerts, but a format without one is a mistake.
func (c AlertConfig) check() error {
	switch {
	case c.Format == AlertPagerDuty && c.RoutingKey.Empty():
		return jobs.Invalid("alerts.routing_key", "Alerts for PagerDuty need a routing key",
			"The routing key says which service of PagerDuty an event belongs to.",
			"Set LYTICS_ALERTS_ROUTING_KEY to the integration key of an integration \"Events API v2\"")
	case c.Format == AlertSlack && c.URL == "":
		return jobs.Invalid("alerts.url", "Alerts for Slack need a URL", "The URL of an incoming webhook says which channel gets them.",
			"Set LYTICS_ALERTS_URL to the webhook's URL")
	case c.URL != "" && c.Secret.Empty() && (c.Format == AlertJSON || c.Format == ""):
		return jobs.Invalid("alerts.secret", "Alerts need a secret",
			"The secret signs each alert, so that the receiver can verify the sender.", "Create one with: openssl rand -base64 32")
	}
	return nil
}

// encode returns the body of the request that delivers a message.
func (c AlertConfig) encode(m message) ([]byte, error) {
	switch c.Format {
	case AlertSlack:
		return json.Marshal(slackMessage{Text: slackText(m)})
	case AlertPagerDuty:
		return json.Marshal(pagerDutyEvent{
			RoutingKey: c.RoutingKey.Reveal(), EventAction: "trigger", Client: "terraform-provider-lytics",
			// One incident for each job: further failures are added to it.
			DedupKey: "lytics/" + m.Store + "/" + m.Job.ID,
			Payload: pagerDutyPayload{
				Summary: shorten(m.Text, maxSummary), Source: m.Store, Severity: severities[m.Kind], Timestamp: m.At.UTC().Format(time.RFC3339),
				Component: m.Job.Label, Group: string(m.Job.Kind), Class: m.Kind, CustomDetails: m,
			},
		})
	default:
		return json.Marshal(m)
	}
}

// The bounds of a text, in characters: that of a message that Slack shows whole, and
// that of a summary of PagerDuty.
const (
	maxSlackText = 3000
	maxSummary   = 1024
)

func shorten(text string, most int) string {
	if utf8.RuneCountInString(text) <= most {
		return text
	}
	return string([]rune(text)[:most-1]) + "…"
}

type slackMessage struct {
	Text string `json:"text"`
}

// slackEscapes are the characters that have a meaning in Slack's texts.
var slackEscapes = strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;")

func slackText(m message) string {
	icon := ":red_circle:"
	if m.Kind == store.AlertStale {
		icon = ":hourglass:"
	}
	return icon + " " + slackEscapes.Replace(shorten(m.Text, maxSlackText))
}

// pagerDutyEvent is an event of the Events API v2.
type pagerDutyEvent struct {
	RoutingKey  string           `json:"routing_key"`
	EventAction string           `json:"event_action"`
	DedupKey    string           `json:"dedup_key"`
	Client      string           `json:"client"`
	Payload     pagerDutyPayload `json:"payload"`
}

type pagerDutyPayload struct {
	Summary       string  `json:"summary"`
	Source        string  `json:"source"`
	Severity      string  `json:"severity"`
	Timestamp     string  `json:"timestamp"`
	Component     string  `json:"component"`
	Group         string  `json:"group"`
	Class         string  `json:"class"`
	CustomDetails message `json:"custom_details"`
}

// severities are PagerDuty's names for how bad a kind of alert is.
var severities = map[string]string{store.AlertFailure: "error", store.AlertStale: "critical"}
