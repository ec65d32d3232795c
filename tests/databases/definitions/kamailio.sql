-- Kamailio 5.6: the table acc of utils/kamctl/postgres/acc-create.sql with the columns that its documentation has
-- added for the number that called and the one that was called (db_extra), and cdrs as kamcli makes it.
create table acc (id serial primary key, method varchar(16) default '' not null,
  from_tag varchar(128) default '' not null, to_tag varchar(128) default '' not null,
  callid varchar(255) default '' not null, sip_code varchar(3) default '' not null,
  sip_reason varchar(128) default '' not null, "time" timestamp without time zone not null,
  src_user varchar(64) default '' not null, src_domain varchar(128) default '' not null,
  src_ip varchar(64) default '' not null, dst_ouser varchar(64) default '' not null,
  dst_user varchar(64) default '' not null, dst_domain varchar(128) default '' not null);
create index acc_callid_idx on acc (callid);
