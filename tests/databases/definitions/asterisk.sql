-- The tables of Asterisk's contrib/ast-db-manage (cdr and config) that are read, with their columns and types.
create type yesno_values as enum ('yes', 'no');
create table cdr (accountcode varchar(80), src varchar(80), dst varchar(80), dcontext varchar(80), clid varchar(80),
  channel varchar(80), dstchannel varchar(80), lastapp varchar(80), lastdata varchar(80), start timestamp,
  answer timestamp, "end" timestamp, duration integer, billsec integer, disposition varchar(45), amaflags varchar(45),
  userfield varchar(256), uniqueid varchar(150), linkedid varchar(150), peeraccount varchar(80), sequence integer);
create table ps_endpoints (id varchar(255) not null unique, transport varchar(40), aors varchar(2048),
  auth varchar(255), context varchar(40), disallow varchar(200), allow varchar(200), direct_media yesno_values,
  mailboxes varchar(40), outbound_auth varchar(255), callerid varchar(40), callerid_tag varchar(40),
  named_call_group varchar(40), language varchar(40), from_user varchar(40), set_var text, message_context varchar(40),
  accountcode varchar(80), tenantid varchar(80));
create table extensions (id bigserial not null unique, context varchar(40) not null, exten varchar(40) not null,
  priority integer not null, app varchar(40) not null, appdata varchar(256) not null,
  primary key (context, exten, priority));
